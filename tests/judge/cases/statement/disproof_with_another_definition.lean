def double (n : Nat) : Nat := n

theorem not_double_odd : ¬ ∀ n : Nat, double n % 2 = 1 := by
  intro h
  have := h 0
  simp [double] at this
