namespace Transpose

/-- A matrix as the list of its rows; the number of columns is given, for there may be no row. -/
def transpose {α : Type} (cols : Nat) : List (List α) → List (List α)
  | [] => List.replicate cols []
  | row :: rows => List.zipWith List.cons row (transpose cols rows)

def IsMatrix {α : Type} (rows cols : Nat) (m : List (List α)) : Prop :=
  m.length = rows ∧ ∀ row, row ∈ m → row.length = cols

theorem transpose_shape {α : Type} (rows cols : Nat) (m : List (List α))
    (h : IsMatrix rows cols m) : IsMatrix cols rows (transpose cols m) := sorry

theorem transpose_transpose {α : Type} (rows cols : Nat) (m : List (List α))
    (h : IsMatrix rows cols m) : transpose rows (transpose cols m) = m := sorry

end Transpose
