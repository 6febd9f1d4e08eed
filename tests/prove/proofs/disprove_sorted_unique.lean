theorem not_sorted_unique : ¬ ∀ (xs ys : List Nat) (hx : xs.Pairwise (· ≤ ·))
    (hy : ys.Pairwise (· ≤ ·)) (same : ∀ x, x ∈ xs ↔ x ∈ ys), xs = ys := by
  intro h
  have := h [1] [1, 1] (by simp) (by simp) (by simp)
  simp at this
