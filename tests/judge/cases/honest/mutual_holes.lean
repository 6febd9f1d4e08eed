mutual
def isEven : Nat → Bool
  | 0 => true
  | n + 1 => isOdd n
def isOdd : Nat → Bool
  | 0 => false
  | n + 1 => isEven n
end

theorem even_spec (n : Nat) : isEven (n + 1) = isOdd n := by rw [isEven]
theorem odd_spec (n : Nat) : isOdd (n + 1) = isEven n := by rw [isOdd]
theorem zero_spec : isEven 0 = true ∧ isOdd 0 = false := by simp [isEven, isOdd]
