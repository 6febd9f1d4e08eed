theorem not_filter_map_comm : ¬ ∀ (f : Nat → Nat) (p : Nat → Bool) (xs : List Nat),
    (xs.map f).filter p = (xs.filter p).map f := by
  intro h
  have := h (· + 1) (· == 0) [0]
  simp at this
