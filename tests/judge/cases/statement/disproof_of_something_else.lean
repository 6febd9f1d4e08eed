def double (n : Nat) : Nat := n + n

theorem not_double_odd : ¬ ∀ n : Nat, double n % 2 = 2 := by
  intro h
  have := h 0
  simp [double] at this
