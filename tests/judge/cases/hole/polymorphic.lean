class Half (α : Type) where
  half : α → α
instance : Half Nat := ⟨(· / 2)⟩
def half {α : Type} [Half α] (n : α) : α := Half.half n
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  show 2 * (n / 2) = n ∨ 2 * (n / 2) + 1 = n
  omega
