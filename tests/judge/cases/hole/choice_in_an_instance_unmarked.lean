noncomputable section
class Halver where
  go : Nat → Nat
  ok : ∀ n, 2 * go n = n ∨ 2 * go n + 1 = n
instance : Halver := Classical.choice ⟨⟨fun n => n / 2, fun n => show 2 * (n / 2) = n ∨ 2 * (n / 2) + 1 = n by omega⟩⟩
def half (n : Nat) : Nat := Halver.go n
end
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := Halver.ok n
