namespace AbsTriangle

def abs (a : Int) : Int := if 0 ≤ a then a else -a

theorem abs_add_le (a b : Int) : abs (a + b) ≤ abs a + abs b := sorry

theorem abs_abs_sub_abs_le (a b : Int) : abs (abs a - abs b) ≤ abs (a - b) := sorry

end AbsTriangle
