"""Two lines of the bank call each other and measure what they hear: pure functions, and a thin shell around them."""
