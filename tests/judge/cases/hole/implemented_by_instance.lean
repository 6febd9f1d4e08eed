structure Op where
  f : Nat → Nat
def evil : Inhabited Op := ⟨⟨fun _ => 0⟩⟩
@[implemented_by evil] def inst : Inhabited Op := ⟨⟨fun n => n / 2⟩⟩
attribute [instance] inst
def half (n : Nat) : Nat := (default : Op).f n
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  show 2 * (n / 2) = n ∨ 2 * (n / 2) + 1 = n
  omega
