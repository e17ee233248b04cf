"""Statistical disclosure control: pure, numbers and names of cells, no input or output, no clock."""
