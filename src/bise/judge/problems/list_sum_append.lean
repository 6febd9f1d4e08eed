namespace ListSum

def total : List Int → Int
  | [] => 0
  | x :: xs => x + total xs

theorem total_append (xs ys : List Int) : total (xs ++ ys) = total xs + total ys := sorry

theorem total_reverse (xs : List Int) : total xs.reverse = total xs := sorry

end ListSum
