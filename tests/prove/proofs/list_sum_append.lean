namespace ListSum

def total : List Int → Int
  | [] => 0
  | x :: xs => x + total xs

theorem total_append (xs ys : List Int) : total (xs ++ ys) = total xs + total ys := by
  induction xs with
  | nil => simp [total]
  | cons x xs ih => simp [total, ih, Int.add_assoc]

theorem total_reverse (xs : List Int) : total xs.reverse = total xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih =>
    simp [total, total_append, ih]
    omega

end ListSum
