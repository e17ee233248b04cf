"""A deliberation as a policy: coded microdata of several sources, delivered to a recipient on terms."""
