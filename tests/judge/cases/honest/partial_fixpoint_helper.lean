def find (n k : Nat) : Option Nat := if 2 * k = n ∨ 2 * k + 1 = n then some k else find n (k + 1)
partial_fixpoint
def half (n : Nat) : Nat := n / 2
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega
