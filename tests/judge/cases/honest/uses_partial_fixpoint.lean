def find (n k : Nat) : Option Nat := if 2 * k = n ∨ 2 * k + 1 = n then some k else find n (k + 1)
partial_fixpoint
def half (n : Nat) : Nat := match find n (n / 2) with
  | some k => k
  | none => 0
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  unfold half
  have : find n (n / 2) = some (n / 2) := by
    rw [find]; rw [if_pos]; omega
  rw [this]; simp; omega
