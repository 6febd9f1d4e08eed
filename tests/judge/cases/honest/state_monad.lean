def halves : StateM Nat Nat := do
  modify (· / 2)
  get
def half (n : Nat) : Nat := (halves.run n).1
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  show 2 * (n / 2) = n ∨ 2 * (n / 2) + 1 = n
  omega
