namespace AbsTriangle

def abs (a : Int) : Int := if 0 ≤ a then a else -a

theorem abs_add_le (a b : Int) : abs (a + b) ≤ abs a + abs b := by
  unfold abs
  repeat' split
  all_goals omega

theorem abs_abs_sub_abs_le (a b : Int) : abs (abs a - abs b) ≤ abs (a - b) := by
  unfold abs
  repeat' split
  all_goals omega

end AbsTriangle
