"""What people at the pages and the interface are shown, and where they hand their work in."""
