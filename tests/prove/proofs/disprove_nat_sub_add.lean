theorem not_nat_sub_add : ¬ ∀ (a b c : Nat) (h : c ≤ b), a - (b - c) = a - b + c := by
  intro h
  have := h 0 2 1 (by decide)
  omega
