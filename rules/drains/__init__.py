"""What the water in a drain means: stages, rate of rise, rain, blockage, and whether its sensor can be believed."""
