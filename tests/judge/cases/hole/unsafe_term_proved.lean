def junk (n : Nat) : Nat := unsafe (0 * n)
def half (n : Nat) : Nat := n / 2 + (junk n - junk n)
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega
