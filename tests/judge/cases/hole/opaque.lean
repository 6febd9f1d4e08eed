structure Half (n : Nat) where
  value : Nat
  spec : 2 * value = n ∨ 2 * value + 1 = n

instance (n : Nat) : Inhabited (Half n) := ⟨⟨n / 2, by omega⟩⟩

opaque halves (n : Nat) : Half n

opaque half (n : Nat) : Nat

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := sorry
