local notation "⟪" a "⟫" => a * a
macro "sq! " t:term : term => `($t * $t)

theorem sq_nonneg (a : Nat) : ⟪a⟫ = sq! a := sorry

theorem sq_mono (a b : Nat) (h : a ≤ b) : ⟪a⟫ ≤ ⟪b⟫ := sorry
