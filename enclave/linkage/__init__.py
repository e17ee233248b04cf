"""Deliveries in, coded data of a project out: intake with quarantine, cohorts, linking, coding, codebook."""
