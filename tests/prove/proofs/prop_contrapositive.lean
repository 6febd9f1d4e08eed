theorem prop_contrapositive (P Q : Prop) : (P → Q) ↔ (¬Q → ¬P) :=
  ⟨fun h nq p => nq (h p), fun h p => Classical.byContradiction fun nq => h nq p⟩
