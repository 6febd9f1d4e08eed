structure P where
  x : Nat
instance : Add P := ⟨fun a b => ⟨a.x + b.x⟩⟩
instance : Mul P where
  mul a b := ⟨match a.x, b.x with
    | 0, _ => 0
    | _, 0 => 0
    | n + 1, m + 1 => (n + 1) * (m + 1)⟩
theorem add_comm' (a b : P) : a + b = b + a := sorry
theorem mul_zero' (a : P) : (a * ⟨0⟩).x = 0 := sorry
