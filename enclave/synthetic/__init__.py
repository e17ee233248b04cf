"""Made-up deliveries of realistic size and skew, for demonstration, tests and benchmarks."""
