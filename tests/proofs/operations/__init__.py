"""The random operations' people, their plans, and the books that their answers are held against."""
