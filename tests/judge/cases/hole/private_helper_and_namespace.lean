namespace Impl
private def step (p : Nat × Bool) : Nat × Bool := if p.2 then (p.1 + 1, false) else (p.1, true)
structure State where
  value : Nat
  flag : Bool
instance : Inhabited State := ⟨⟨0, false⟩⟩
def run : Nat → Nat × Bool
  | 0 => (0, false)
  | n + 1 => step (run n)
end Impl
open Impl in
def half (n : Nat) : Nat := (run n).1
theorem run_spec (n : Nat) : 2 * (Impl.run n).1 + (Impl.run n).2.toNat = n := by
  induction n with
  | zero => rfl
  | succ n ih =>
    simp only [Impl.run, Impl.step]
    split
    · rename_i h; simp only [h, Bool.toNat_true] at ih; simp only [Bool.toNat_false]; omega
    · rename_i h; simp only [Bool.not_eq_true] at h; simp only [h, Bool.toNat_false] at ih; simp only [Bool.toNat_true]; omega
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  have := run_spec n
  have h : (Impl.run n).2.toNat ≤ 1 := Bool.toNat_le _
  unfold half
  omega
