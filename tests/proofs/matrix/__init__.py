"""The matrix of faults: flows, where they play, and who judges how they ended."""
