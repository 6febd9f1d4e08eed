theorem prop_contrapositive (P Q : Prop) : (P → Q) ↔ (¬Q → ¬P) := by
  constructor
  · intro h hq hp
    exact hq (h hp)
  · intro h hp
    exact Classical.byContradiction fun hq => h hq hp
