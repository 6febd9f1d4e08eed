partial def spin (n : Nat) : Nat := spin (n + 1)
def half (n : Nat) : Nat := n / 2 + (spin n - spin n)
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega
