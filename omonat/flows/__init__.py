"""The stories, one file each, read top to bottom. A flow gathers facts, asks the rules, and acts; it holds no rule."""
