"""The parts of the fuzz: what there is to send, to whom, as whom, and what may not come of it."""
