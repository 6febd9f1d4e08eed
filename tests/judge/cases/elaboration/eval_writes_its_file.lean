def half (n : Nat) : Nat := n / 2
#eval show IO Unit from IO.FS.writeFile "Judged.olean" "x"
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by unfold half; omega
