def half : Nat → Nat
  | 0 => 0
  | 1 => 0
  | n + 2 => half n + 1

theorem half_spec : ∀ n : Nat, 2 * half n = n ∨ 2 * half n + 1 = n
  | 0 => .inl rfl
  | 1 => .inr rfl
  | n + 2 => by
    have := half_spec n
    simp only [half]
    omega
