class Shape (α : Type) where
  sides : α → Nat
  corners : α → Nat := sides

structure Square where
  a : Nat

instance : Shape Square where
  sides _ := 4

theorem square_corners (s : Square) : Shape.corners s = 4 := rfl

theorem twice {α : Type} [Shape α] (x : α) : Shape.sides x + Shape.corners x = 2 * Shape.sides x := by
  sorry
