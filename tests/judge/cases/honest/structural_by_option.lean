def half (n : Nat) : Nat := match n with
  | 0 => 0
  | 1 => 0
  | n + 2 => half n + 1
termination_by structural n
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  induction n using half.induct with
  | case1 => simp [half]
  | case2 => simp [half]
  | case3 n ih => simp only [half]; omega
