"""Tables out of coded microdata: one pass to a cube per period, every table with its margins out of the cube."""
