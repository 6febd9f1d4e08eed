structure H where
  go : Nat → Nat
  ok : ∀ n, 2 * go n = n ∨ 2 * go n + 1 = n
instance : Nonempty H := ⟨⟨fun n => n / 2, fun n => show 2 * (n / 2) = n ∨ 2 * (n / 2) + 1 = n by omega⟩⟩
noncomputable opaque held : H
noncomputable def half (n : Nat) : Nat := held.go n
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := held.ok n
