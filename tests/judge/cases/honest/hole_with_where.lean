def half (n : Nat) : Nat := go n 0
where
  go : Nat → Nat → Nat
    | 0, acc => acc
    | 1, acc => acc
    | n + 2, acc => go n (acc + 1)

theorem go_spec (n acc : Nat) :
    2 * half.go n acc = n + 2 * acc ∨ 2 * half.go n acc + 1 = n + 2 * acc := by
  induction n using Nat.strongRecOn generalizing acc with
  | _ n ih =>
    match n, ih with
    | 0, _ => simp [half.go]
    | 1, _ => simp [half.go]; omega
    | n + 2, ih =>
      have := ih n (by omega) (acc + 1)
      simp only [half.go]
      omega

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  have := go_spec n 0
  simpa [half] using this
