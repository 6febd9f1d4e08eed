mutual
def isEven (n : Nat) : Bool := if h : n = 0 then true else isOdd (n - 1)
termination_by n
decreasing_by omega
def isOdd (n : Nat) : Bool := if h : n = 0 then false else isEven (n - 1)
termination_by n
decreasing_by omega
end

theorem even_spec (n : Nat) : isEven (n + 1) = isOdd n := by rw [isEven]; simp
theorem odd_spec (n : Nat) : isOdd (n + 1) = isEven n := by rw [isOdd]; simp
theorem zero_spec : isEven 0 = true ∧ isOdd 0 = false := by
  constructor
  · rw [isEven]; simp
  · rw [isOdd]; simp
