def isEven (n : Nat) : Bool := n % 2 == 0
def isOdd (n : Nat) : Bool := sorry
theorem even_spec (n : Nat) : isEven (n + 1) = isOdd n := sorry
theorem odd_spec (n : Nat) : isOdd (n + 1) = isEven n := sorry
theorem zero_spec : isEven 0 = true ∧ isOdd 0 = false := sorry
