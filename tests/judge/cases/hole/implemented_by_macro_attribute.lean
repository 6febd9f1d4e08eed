def evil (_ : Nat) : Nat := 0
def half (n : Nat) : Nat := n / 2
macro "fast " d:command : command => `(attribute [implemented_by evil] half)
fast #check Nat
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega
