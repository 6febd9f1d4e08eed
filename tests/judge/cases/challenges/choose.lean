/-- A place where a function reaches a value it has. -/
def find (f : Nat → Nat) (h : ∃ n, f n = 0) : Nat := sorry

theorem find_spec (f : Nat → Nat) (h : ∃ n, f n = 0) : f (find f h) = 0 := sorry
