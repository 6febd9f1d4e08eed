def half (n : Nat) : Nat := Id.run do
  let mut found := 0
  let table := #[n / 2]
  if h : 0 < table.size then
    found := table[0]
  return found

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  have : half n = n / 2 := by simp [half]
  omega
