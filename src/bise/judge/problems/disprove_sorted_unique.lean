theorem sorted_unique (xs ys : List Nat) (hx : xs.Pairwise (· ≤ ·)) (hy : ys.Pairwise (· ≤ ·))
    (same : ∀ x, x ∈ xs ↔ x ∈ ys) : xs = ys := sorry
