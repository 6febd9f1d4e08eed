"""The skill of naming the next Lean tactic: goals, proofs, and a checker of both."""
