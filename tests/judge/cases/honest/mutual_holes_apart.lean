def isEven (n : Nat) : Bool := n % 2 == 0
def isOdd (n : Nat) : Bool := n % 2 == 1
theorem even_spec (n : Nat) : isEven (n + 1) = isOdd n := by
  unfold isEven isOdd; rw [Bool.eq_iff_iff]; simp; omega
theorem odd_spec (n : Nat) : isOdd (n + 1) = isEven n := by
  unfold isEven isOdd; rw [Bool.eq_iff_iff]; simp; omega
theorem zero_spec : isEven 0 = true ∧ isOdd 0 = false := ⟨rfl, rfl⟩
