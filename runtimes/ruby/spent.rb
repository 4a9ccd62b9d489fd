# frozen_string_literal: true

# The probes that are visited most, for when the budget is used up and nothing can end the muted
# stretch: they only count. Values are kept as they are and looked at when counts are written; those
# that can have changed meanwhile are left out there.
class RubyVM
  module Tracing
    module Spent
      def s(i)
        super if (@_n[i] += 1) <= 0 && (@_n[i] -= 1)
      end

      def v(i, x)
        if (@_n[i] += 1) > 0
          @_last[i] = x
          x
        else
          @_n[i] -= 1
          super
        end
      end

      def b(i, x)
        if (@_n[i] += 1) > 0
          @_last[i] = x ? 1 : 0
          x
        else
          @_n[i] -= 1
          super
        end
      end

      def w(i, loop, x)
        return super if @_n[i] < 0 || @_n[loop] < 0
        @_n[i] += 1
        @_last[i] = x ? 1 : 0
        if x
          @_n[loop] += 1
          refresh if (@_due -= 1) < 0
        end
        x
      end

      def i0(i)
        @_ret[@_depth += 1] = nil
        check_depth if @_depth > @_near
        if (@_n[i] += 1) > 0
          refresh if (@_due -= 1) < 0
        else
          @_n[i] -= 1
          @_depth -= 1
          super
        end
      end

      def i1(i, a)
        @_ret[@_depth += 1] = nil
        check_depth if @_depth > @_near
        if (@_n[i] += 1) > 0
          refresh if (@_due -= 1) < 0
        else
          @_n[i] -= 1
          @_depth -= 1
          super
        end
      end

      def r(i, x)
        if (@_n[i] += 1) > 0
          @_last[i] = x
          @_ret[@_depth] = 0
          x
        else
          @_n[i] -= 1
          super
        end
      end

      def o(i)
        return super unless @_ret[@_depth] == 0
        @_depth -= 1
      end
    end
  end
end
