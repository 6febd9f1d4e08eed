structure P where
  x : Nat
structure Q where
  y : Nat
instance : Add Q := ⟨fun a b => ⟨a.y + b.y⟩⟩
instance : Zero Nat := ⟨0⟩
instance : Add P := ⟨fun a b => ⟨a.x + b.x⟩⟩
instance : Mul P where
  mul a b := ⟨match a.x, b.x with
    | 0, _ => 0
    | _, 0 => 0
    | n + 1, m + 1 => (n + 1) * (m + 1)⟩
theorem add_comm' (a b : P) : a + b = b + a := by
  show P.mk _ = P.mk _
  rw [Nat.add_comm]
theorem mul_zero' (a : P) : (a * ⟨0⟩).x = 0 := by
  show (match a.x, 0 with
    | 0, _ => 0
    | _, 0 => 0
    | n + 1, m + 1 => (n + 1) * (m + 1) : Nat) = 0
  cases a.x <;> rfl
