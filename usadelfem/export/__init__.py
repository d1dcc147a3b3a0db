"""Files and pictures from fields."""
